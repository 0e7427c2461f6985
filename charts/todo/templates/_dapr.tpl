{{/* Dapr's documents, which the folders dapr/ and kafka/ of the sources have; here they are fitted to the values. */}}

{{/* A component whose metadata of some names are left out and others added. Takes the document, names, and additions. */}}
{{- define "todo.dapr.fitted" -}}
{{- $document := index . 0 | fromYaml }}{{ $without := index . 1 }}{{ $added := index . 2 }}
{{- $kept := list }}
{{- range $document.spec.metadata }}{{ if not (has .name $without) }}{{ $kept = append $kept . }}{{ end }}{{ end }}
{{- $_ := set $document.spec "metadata" (concat $kept $added) }}
{{- if not (contains "secretKeyRef" ($document.spec.metadata | toJson)) }}{{ $_ := unset $document "auth" }}{{ end }}
{{- toYaml $document }}
{{- end }}

{{/* Where documents are. */}}
{{- define "todo.dapr.statestore" -}}
{{- if eq .Values.database "embedded" -}}
{{ .Files.Get "files/local/statestore.yaml" }}
{{- else -}}
{{- $secret := dict "name" "connectionString" "secretKeyRef" (dict "name" .Values.postgres.secret "key" "connectionString") }}
{{- $without := list "connectionString" }}
{{- /* daprd's outbox stops for good where two writers meet; the application publishes by itself then. */}}
{{- if eq .Values.sidecar "dapr" }}{{ $without = concat $without (list "outboxPublishPubsub" "outboxPublishTopic") }}{{ end }}
{{- include "todo.dapr.fitted" (list (.Files.Get "files/cluster/statestore-postgres.yaml") $without (list $secret)) }}
{{- end }}
{{- end }}

{{/* Where events go. */}}
{{- define "todo.dapr.pubsub" -}}
{{- if eq .Values.broker "embedded" -}}
{{ .Files.Get "files/local/pubsub.yaml" }}
{{- else -}}
{{- $kafka := .Values.kafka }}
{{- $added := list (dict "name" "brokers" "value" (include "todo.brokers" .)) }}
{{- if eq $kafka.sasl "none" }}{{ $added = append $added (dict "name" "authType" "value" "none") }}
{{- else }}
{{- $added = append $added (dict "name" "authType" "value" "password") }}
{{- $added = append $added (dict "name" "saslMechanism" "value" (ternary "PLAINTEXT" $kafka.sasl (eq $kafka.sasl "PLAIN"))) }}
{{- $added = append $added (dict "name" "saslUsername" "secretKeyRef" (dict "name" $kafka.secret "key" "username")) }}
{{- $added = append $added (dict "name" "saslPassword" "secretKeyRef" (dict "name" $kafka.secret "key" "password")) }}
{{- if not $kafka.tls }}{{ $added = append $added (dict "name" "disableTls" "value" "true") }}{{ end }}
{{- end }}
{{- $without := list "brokers" "authType" "saslMechanism" "saslUsername" "saslPassword" }}
{{- include "todo.dapr.fitted" (list (.Files.Get "files/cluster/pubsub-kafka.yaml") $without $added) }}
{{- end }}
{{- end }}

{{/* All documents but the subscriptions, by the names of files, as JSON. */}}
{{- define "todo.dapr.documents" -}}
{{- $files := dict "statestore.yaml" (include "todo.dapr.statestore" .) "pubsub.yaml" (include "todo.dapr.pubsub" .) }}
{{- $skipped := list "statestore-postgres.yaml" "pubsub-kafka.yaml" }}
{{- /* daprd has its own store of this name; without secrets to read it is nobody's. */}}
{{- if or (eq .Values.sidecar "dapr") (not (include "todo.sidelet.secrets" .)) }}{{ $skipped = append $skipped "secretstore-k8s.yaml" }}{{ end }}
{{- range $path, $_ := .Files.Glob "files/cluster/*.yaml" }}
{{- if not (has (base $path) $skipped) }}{{ $_ := set $files (base $path) ($.Files.Get $path) }}{{ end }}
{{- end }}
{{- toJson $files }}
{{- end }}
