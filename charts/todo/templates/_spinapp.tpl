{{/*
A SpinApp. Takes the root, its name, the app's id, the components, the resources, and how many pods: 0 where another
object scales it.
*/}}
{{- define "todo.spinapp" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $app := index . 2 }}{{ $values := $root.Values -}}
apiVersion: core.spinkube.dev/v1alpha1
kind: SpinApp
metadata:
  name: {{ $name }}
  labels:
    {{- include "todo.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $app }}
spec:
  image: {{ include "todo.image" (list $values.image $root.Chart) }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  executor: {{ include "todo.name" $root }}
  {{- if index . 5 }}
  replicas: {{ index . 5 }}
  {{- else }}
  enableAutoscaling: true
  {{- end }}
  serviceAccountName: {{ include "todo.name" $root }}-components
  components: {{ index . 3 | toJson }}
  podLabels:
    {{- include "todo.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $app }}
  {{- if eq $values.sidecar "dapr" }}
  podAnnotations:
    dapr.io/enabled: "true"
    dapr.io/app-id: {{ $app }}
    dapr.io/app-port: "80"
    dapr.io/config: todo
    # Dapr's operator reads the components' secrets; the pod has no account to do it.
    dapr.io/disable-builtin-k8s-secret-store: "true"
    dapr.io/max-body-size: 32Mi
    dapr.io/api-token-secret: {{ include "todo.secret.apiToken" $root }}
    dapr.io/app-token-secret: {{ include "todo.secret.appToken" $root }}
    dapr.io/sidecar-cpu-request: 50m
    dapr.io/sidecar-cpu-limit: "1"
    dapr.io/sidecar-memory-request: 96Mi
    dapr.io/sidecar-memory-limit: 256Mi
  {{- end }}
  {{- /* Spin answers this path by itself, as soon as the components are there. The operator's delay is 10 s. */}}
  checks:
    readiness:
      httpGet: {path: /.well-known/spin/health}
      initialDelaySeconds: 1
      periodSeconds: 1
      timeoutSeconds: 2
    liveness:
      httpGet: {path: /.well-known/spin/health}
      initialDelaySeconds: 20
      periodSeconds: 10
      timeoutSeconds: 5
  resources:
    {{- index . 4 | toYaml | nindent 4 }}
  variables:
    {{- if eq $values.sidecar "sidelet" }}
    - {name: dapr_url, value: "http://{{ include "todo.name" $root }}-sidelet:3500"}
    - {name: app_id, value: reminders}
    {{- else }}
    - {name: dapr_url, value: "http://127.0.0.1:3500"}
    - {name: events, value: publish}
    - {name: updates_from, value: poll}
    {{- end }}
    - {name: writes_per_minute, value: {{ $values.settings.writesPerMinute | toString | quote }}}
    - {name: sign_ups_per_hour, value: {{ $values.settings.signUpsPerHour | toString | quote }}}
    - {name: proxies, value: {{ $values.settings.proxies | toString | quote }}}
    - {name: cors_origins, value: {{ $values.settings.corsOrigins | quote }}}
    - {name: vapid_subject, value: {{ $values.settings.vapidSubject | quote }}}
    {{- if $values.mail.host }}
    - {name: email_binding, value: mail}
    {{- end }}
    {{- include "todo.variable" (list "dapr_api_token" (include "todo.secret.apiToken" $root) "token") | nindent 4 }}
    {{- include "todo.variable" (list "app_api_token" (include "todo.secret.appToken" $root) "token") | nindent 4 }}
    {{- include "todo.variable" (list "signing_key" (include "todo.secret.keys" $root) "signingKey") | nindent 4 }}
    {{- include "todo.variable" (list "vapid_private_key" (include "todo.secret.keys" $root) "vapidPrivateKey") | nindent 4 }}
{{- end }}

{{/*
The components of an app. With Dapr a job fires at the app that made it, so that whoever makes one has the component
`reminders` too. Takes the root and the components.
*/}}
{{- define "todo.components" -}}
{{- $root := index . 0 }}{{ $names := index . 1 }}
{{- if eq $root.Values.sidecar "dapr" }}{{ $names = append $names "reminders" | uniq }}{{ end }}
{{- toJson $names }}
{{- end }}
