{{/* The name of what there is one of. */}}
{{- define "todo.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" (.Release.Name | trunc 35 | trimSuffix "-") .Chart.Name }}{{ end -}}
{{- end }}

{{/* The labels of everything. */}}
{{- define "todo.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What selects pods of this release; `component` is added where there are several. */}}
{{- define "todo.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* An image by what was tested, or by its tag. Takes the values of the image and the chart. */}}
{{- define "todo.image" -}}
{{- $image := index . 0 }}{{ $chart := index . 1 -}}
{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $chart.AppVersion }}{{ end }}
{{- end }}

{{/* The names of the Secrets. */}}
{{- define "todo.secret.apiToken" -}}{{ .Values.secrets.apiToken | default (printf "%s-api-token" (include "todo.name" .)) }}{{- end }}
{{- define "todo.secret.appToken" -}}{{ .Values.secrets.appToken | default (printf "%s-app-token" (include "todo.name" .)) }}{{- end }}
{{- define "todo.secret.keys" -}}{{ .Values.secrets.keys | default (printf "%s-keys" (include "todo.name" .)) }}{{- end }}

{{/* The handlers that have pods of their own, with commas between: with sidelet the API's pods tell open pages. */}}
{{- define "todo.handlers" -}}
{{- $names := keys .Values.handlers | sortAlpha }}
{{- if eq .Values.sidecar "sidelet" }}{{ $names = without $names "updates" }}{{ end }}
{{- join "," $names }}
{{- end }}

{{/* The values of a handler: its own before those of all. Takes the root and the name. */}}
{{- define "todo.handler" -}}
{{- $root := index . 0 }}{{ $name := index . 1 -}}
{{ mustMergeOverwrite (deepCopy $root.Values.handler) (deepCopy (index $root.Values.handlers $name)) | toJson }}
{{- end }}

{{/* The fewest pods of a handler. Only sidelet wakes a handler for a job; where it does not, whoever owns jobs stays. */}}
{{- define "todo.handler.min" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $handler := include "todo.handler" . | fromJson }}
{{- $owners := ternary (list "reminders") (list "reminders" "notifier") (eq $root.Values.sidecar "sidelet") }}
{{- if and (eq $root.Values.scaling.trigger "kafka") (has $name $owners) }}{{ max 1 ($handler.minReplicas | int) }}{{ else }}{{ $handler.minReplicas | int }}{{ end }}
{{- end }}

{{/* Whether the sidecar keeps anything in its own file. */}}
{{- define "todo.embedded" -}}
{{- if or (eq .Values.broker "embedded") (eq .Values.database "embedded") }}true{{ end }}
{{- end }}

{{/* The Secrets of database and broker, with commas between. */}}
{{- define "todo.secrets.before" -}}
{{- $names := list }}
{{- if eq .Values.database "external" }}{{ $names = append $names .Values.postgres.secret }}{{ end }}
{{- if and (ne .Values.broker "embedded") (ne .Values.kafka.sasl "none") }}{{ $names = append $names .Values.kafka.secret }}{{ end }}
{{- join "," $names }}
{{- end }}

{{/* All Secrets that the sidecar reads, with commas between. */}}
{{- define "todo.secrets.sidelet" -}}
{{- $names := compact (include "todo.secrets.before" . | splitList ",") }}
{{- if .Values.mail.host }}{{ $names = append $names .Values.mail.secret }}{{ end }}
{{- join "," $names }}
{{- end }}

{{/* The brokers. KEDA asks from a namespace of its own. */}}
{{- define "todo.brokers" -}}
{{ .Values.kafka.brokers | default (printf "todo-kafka-bootstrap.%s.svc:9092" .Release.Namespace) }}
{{- end }}

{{/* 256 random bits in base64url, 43 letters. */}}
{{- define "todo.random" -}}
{{ randBytes 32 | replace "+" "-" | replace "/" "_" | trimSuffix "=" }}
{{- end }}

{{/* The pods of a namespace, or of all. Takes its name. */}}
{{- define "todo.namespace" -}}
{{- if . }}namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}{{ else }}namespaceSelector: {}{{ end }}
{{- end }}

{{/* Addresses outside the cluster and its neighbours. Takes the values of the policies. */}}
{{- define "todo.public" -}}
ipBlock: {cidr: 0.0.0.0/0, except: {{ .privateNets | toJson }}}
{{- end }}
