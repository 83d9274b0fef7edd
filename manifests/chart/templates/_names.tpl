{{- define "domainpilot.name" -}}
{{- if contains "domainpilot" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-domainpilot" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "domainpilot.selector" -}}
app.kubernetes.io/name: domainpilot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "domainpilot.labels" -}}
{{ include "domainpilot.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "domainpilot.metadata" -}}
name: {{ include "domainpilot.name" . }}
namespace: {{ .Release.Namespace }}
labels: {{- include "domainpilot.labels" . | nindent 2 }}
{{- end -}}

{{- define "domainpilot.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "domainpilot.name" .) -}}
{{- end -}}

{{- define "domainpilot.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "domainpilot.serviceAccount" . }}
    namespace: {{ .Release.Namespace }}
{{- end -}}

{{- /* The command line: values that have a name of their own, then whatever stands in flags. */ -}}
{{- define "domainpilot.args" -}}
{{- $args := list "run" -}}
{{- with .Values.appSelector }}{{ $args = append $args (printf "--app-selector=%s" .) }}{{ end -}}
{{- range .Values.namespaces }}{{ $args = append $args (printf "--namespace=%s" .) }}{{ end -}}
{{- range .Values.ambientCredentialsNamespaces }}{{ $args = append $args (printf "--ambient-credentials-namespaces=%s" .) }}{{ end -}}
{{- range $flag, $value := .Values.flags }}{{ $args = append $args (printf "--%s=%v" $flag $value) }}{{ end -}}
{{- toYaml $args -}}
{{- end -}}
