{{/* Dapr's documents, which the folders dapr/ and kafka/ of the sources have; here they are fitted to the values. */}}

{{/* A component with metadata in place of its own of the same names, or beside them. Takes the document and these. */}}
{{- define "todo.dapr.fitted" -}}
{{- $document := index . 0 | fromYaml }}{{ $metadata := index . 1 }}
{{- $names := list }}
{{- range $metadata }}{{ $names = append $names .name }}{{ end }}
{{- range $document.spec.metadata }}{{ if not (has .name $names) }}{{ $metadata = append $metadata . }}{{ end }}{{ end }}
{{- $_ := set $document.spec "metadata" $metadata }}
{{- if contains "secretKeyRef" (toJson $metadata) }}{{ $_ := set $document "auth" (dict "secretStore" "kubernetes") }}{{ end }}
{{- toYaml $document }}
{{- end }}

{{/* Where documents are. */}}
{{- define "todo.dapr.statestore" -}}
{{- if eq .Values.database "embedded" -}}
{{ .Files.Get "files/local/statestore.yaml" }}
{{- else -}}
{{- $added := list (dict "name" "connectionString" "secretKeyRef" (dict "name" .Values.postgres.secret "key" "connectionString")) }}
{{- if eq .Values.sidecar "sidelet" }}
{{- $added = append $added (dict "name" "outboxPublishPubsub" "value" "pubsub") }}
{{- $added = append $added (dict "name" "outboxPublishTopic" "value" "task-events") }}
{{- end }}
{{- include "todo.dapr.fitted" (list (.Files.Get "files/cluster/statestore-postgres.yaml") $added) }}
{{- end }}
{{- end }}

{{/* Where events go. */}}
{{- define "todo.dapr.pubsub" -}}
{{- if eq .Values.broker "embedded" -}}
{{ .Files.Get "files/local/pubsub.yaml" }}
{{- else -}}
{{- $kafka := .Values.kafka }}
{{- $added := list (dict "name" "brokers" "value" (include "todo.brokers" .)) }}
{{- if ne $kafka.sasl "none" }}
{{- $added = append $added (dict "name" "authType" "value" "password") }}
{{- $added = append $added (dict "name" "saslMechanism" "value" (ternary "PLAINTEXT" $kafka.sasl (eq $kafka.sasl "PLAIN"))) }}
{{- $added = append $added (dict "name" "saslUsername" "secretKeyRef" (dict "name" $kafka.secret "key" "username")) }}
{{- $added = append $added (dict "name" "saslPassword" "secretKeyRef" (dict "name" $kafka.secret "key" "password")) }}
{{- if not $kafka.tls }}{{ $added = append $added (dict "name" "disableTls" "value" "true") }}{{ end }}
{{- end }}
{{- include "todo.dapr.fitted" (list (.Files.Get "files/cluster/pubsub-kafka.yaml") $added) }}
{{- end }}
{{- end }}

{{/* How mail goes out. */}}
{{- define "todo.dapr.mail" -}}
{{- $mail := .Values.mail }}
{{- $added := list (dict "name" "host" "value" $mail.host) (dict "name" "port" "value" ($mail.port | toString)) }}
{{- $added = append $added (dict "name" "emailFrom" "value" $mail.from) }}
{{- $added = append $added (dict "name" "user" "secretKeyRef" (dict "name" $mail.secret "key" "username")) }}
{{- $added = append $added (dict "name" "password" "secretKeyRef" (dict "name" $mail.secret "key" "password")) }}
{{- include "todo.dapr.fitted" (list (.Files.Get "files/mail/mail.yaml") $added) }}
{{- end }}

{{/* All documents by the names of files, as JSON. */}}
{{- define "todo.dapr.documents" -}}
{{- $files := dict }}
{{- range $path, $text := .Files.Glob "files/cluster/*.yaml" }}{{ $_ := set $files (base $path) ($text | toString) }}{{ end }}
{{- $_ := set (unset $files "statestore-postgres.yaml") "statestore.yaml" (include "todo.dapr.statestore" .) }}
{{- $_ := set (unset $files "pubsub-kafka.yaml") "pubsub.yaml" (include "todo.dapr.pubsub" .) }}
{{- if .Values.mail.host }}{{ $_ := set $files "mail.yaml" (include "todo.dapr.mail" .) }}{{ end }}
{{- if and (include "todo.secrets.sidelet" .) (eq .Values.sidecar "sidelet") }}
{{- $_ := set $files "secretstore-k8s.yaml" (.Files.Get "files/sidelet/secretstore-k8s.yaml") }}
{{- end }}
{{- toJson $files }}
{{- end }}
