{{/* The topics that an app's subscriptions name, as JSON. Takes the root and the app. */}}
{{- define "todo.topics" -}}
{{- $topics := list }}{{ $app := index . 1 }}
{{- range $path, $text := (index . 0).Files.Glob "files/cluster/*.yaml" }}
{{- $document := $text | toString | fromYaml }}
{{- if and (eq $document.kind "Subscription") (has $app $document.scopes) }}{{ $topics = append $topics $document.spec.topic }}{{ end }}
{{- end }}
{{- toJson $topics }}
{{- end }}

{{/* What wakes a handler. Takes the root, its name, the app's id and its values. */}}
{{- define "todo.scaledobject" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $app := index . 2 }}{{ $handler := index . 3 }}
{{- $values := $root.Values }}{{ $scaling := $values.scaling -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ $name }}
  labels:
    {{- include "todo.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $app }}
spec:
  scaleTargetRef: {name: {{ $name }}}
  minReplicaCount: {{ include "todo.handler.min" (list $root $app) }}
  maxReplicaCount: {{ $handler.maxReplicas }}
  pollingInterval: {{ $scaling.pollingInterval }}
  cooldownPeriod: {{ $scaling.cooldown }}
  triggers:
    {{- if has $scaling.trigger (list "push" "both") }}
    - type: external-push
      metadata:
        scalerAddress: {{ include "todo.name" $root }}-sidelet.{{ $root.Release.Namespace }}:{{ $values.sidelet.scalerPort }}
        app: {{ $app }}
        lagThreshold: {{ $scaling.lag | toString | quote }}
    {{- end }}
    {{- if has $scaling.trigger (list "kafka" "both") }}
    {{- range $topic := include "todo.topics" (list $root $app) | fromJsonArray }}
    - type: kafka
      metadata:
        bootstrapServers: {{ include "todo.brokers" $root }}
        consumerGroup: {{ $app }}
        topic: {{ $topic }}
        lagThreshold: {{ $scaling.lag | toString | quote }}
        {{- /* The first event is more than none. */}}
        activationLagThreshold: "0"
        offsetResetPolicy: earliest
      {{- if ne $values.kafka.sasl "none" }}
        sasl: {{ get (dict "PLAIN" "plaintext" "SHA-256" "scram_sha256" "SHA-512" "scram_sha512") $values.kafka.sasl }}
        tls: {{ ternary "enable" "disable" $values.kafka.tls }}
      authenticationRef: {name: {{ include "todo.name" $root }}-kafka}
      {{- end }}
    {{- end }}
    {{- end }}
{{- end }}
