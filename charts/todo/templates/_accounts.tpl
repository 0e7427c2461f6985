{{/*
An account that may read Secrets, and nothing else. Takes the root, a name, annotations, and the Secrets with commas between.
*/}}
{{- define "todo.account" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $secrets := index . 3 -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "todo.metadata" . | nindent 2 }}
automountServiceAccountToken: {{ ne $secrets "" }}
{{- if $secrets }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "todo.metadata" . | nindent 2 }}
rules:
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: {{ $secrets | splitList "," | toJson }}
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "todo.metadata" . | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $name }}}
subjects:
  - {kind: ServiceAccount, name: {{ $name }}, namespace: {{ $root.Release.Namespace }}}
{{- end }}
{{- end }}

{{/* Name, labels and annotations. */}}
{{- define "todo.metadata" -}}
name: {{ index . 1 }}
labels:
  {{- include "todo.labels" (index . 0) | nindent 2 }}
{{- with index . 2 }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
