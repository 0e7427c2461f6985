{{/* What the chart's own pods may do: what the pod security standard `restricted` allows, and a read-only image. */}}
{{- define "todo.pod.security" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "todo.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A variable from a Secret, in the form of pods and of SpinApps. Takes its name, the Secret's and the key. */}}
{{- define "todo.variable" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}
{{- end }}

{{/* Pods of sidelet that begin and end: its image with arguments. Takes the root, a name, and the arguments. */}}
{{- define "todo.task" -}}
{{- $root := index . 0 -}}
restartPolicy: Never
{{- if include "todo.secrets.before" $root }}
serviceAccountName: {{ include "todo.name" $root }}-before
{{- else }}
automountServiceAccountToken: false
{{- end }}
{{- with $root.Values.sidelet.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "todo.pod.security" $root | nindent 2 }}
containers:
  - name: {{ index . 1 }}
    image: {{ include "todo.image" (list $root.Values.sidelet.image $root.Chart) }}
    args: {{ index . 2 | toJson }}
    securityContext:
      {{- include "todo.container.security" $root | nindent 6 }}
    resources:
      requests: {cpu: 10m, memory: 32Mi}
      limits: {cpu: 500m, memory: 128Mi}
    volumeMounts:
      - {name: dapr, mountPath: /etc/dapr, readOnly: true}
      - {name: topics, mountPath: /etc/topics, readOnly: true}
volumes:
  - name: dapr
    configMap: {name: {{ include "todo.name" $root }}-before}
  - name: topics
    configMap: {name: {{ include "todo.name" $root }}-topics}
{{- end }}
