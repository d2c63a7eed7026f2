{{- define "dagster.chart" -}}
{{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "dagster.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dagster.labels" -}}
helm.sh/chart: {{ include "dagster.chart" . }}
{{ include "dagster.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "dagster.oldLabels" -}}
app: {{ .Chart.Name }}
chart: {{ include "dagster.chart" . }}
release: {{ .Release.Name }}
heritage: {{ .Release.Service }}
{{- end -}}

{{- define "dagster.annotations" -}}
{{- range $name, $value := . }}
{{ $name }}: {{ $value | squote }}
{{- end }}
{{- end -}}

{{- define "dagster.image" -}}
{{- $chart := index . 0 -}}
{{- $image := index . 1 -}}
{{ $image.repository }}:{{ $image.tag | default $chart.Version }}
{{- end -}}

{{- define "dagster.webserver" -}}
{{ .Release.Name }}-{{ .Values.dagsterWebserver.nameOverride | default "webserver" }}
{{- end -}}

{{- define "dagster.serviceAccount" -}}
{{ .Values.global.serviceAccountName | default .Values.serviceAccount.name | default .Release.Name }}
{{- end -}}

{{- define "dagster.checksums" -}}
checksum/dagster-workspace: {{ include (print .Template.BasePath "/workspace.yaml") . | sha256sum }}
checksum/dagster-instance: {{ include (print .Template.BasePath "/instance.yaml") . | sha256sum }}
{{- end -}}
