{{/* The specification of a pod of the webserver and of the daemon: the root, the part's values, its command, its name. */}}
{{- define "dagster.pod" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
{{- $command := index . 2 -}}
{{- $name := index . 3 -}}
{{- $database := $root.Values.postgresql -}}
{{- $locations := index $root.Values "dagster-user-deployments" -}}
imagePullSecrets:
  {{- toYaml $root.Values.imagePullSecrets | nindent 2 }}
serviceAccountName: {{ include "dagster.serviceAccount" $root }}
securityContext:
  {{- toYaml $part.podSecurityContext | nindent 2 }}
initContainers:
  - name: check-db-ready
    image: "{{ $database.image.repository }}:{{ $database.image.tag }}"
    imagePullPolicy: {{ $database.image.pullPolicy }}
    command: [sh, -c, "until pg_isready -h {{ $database.postgresqlHost }} -p {{ $database.service.port }}; do sleep 2; done"]
  {{- range $locations.deployments }}
  - name: "init-user-deployment-{{ .name }}"
    image: "{{ $root.Values.busybox.image.repository }}:{{ $root.Values.busybox.image.tag }}"
    command: [sh, -c, "until nslookup {{ .name }}; do sleep 2; done"]
  {{- end }}
containers:
  - name: {{ $root.Chart.Name }}
    securityContext:
      {{- toYaml $part.securityContext | nindent 6 }}
    imagePullPolicy: {{ $part.image.pullPolicy }}
    image: {{ include "dagster.image" (list $root.Chart $part.image) | quote }}
    command: [/bin/bash, -c, {{ $command | quote }}]
    env:
      - name: DAGSTER_PG_PASSWORD
        valueFrom:
          secretKeyRef:
            name: {{ $root.Values.global.postgresqlSecretName | quote }}
            key: postgresql-password
      {{- with $part.env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    envFrom:
      - configMapRef:
          name: {{ $root.Release.Name }}-{{ $name }}-env
      {{- range $part.envConfigMaps }}
      - configMapRef: {{ toJson . }}
      {{- end }}
      {{- range $part.envSecrets }}
      - secretRef: {{ toJson . }}
      {{- end }}
    volumeMounts:
      - name: dagster-instance
        mountPath: "{{ $root.Values.global.dagsterHome }}/dagster.yaml"
        subPath: dagster.yaml
      - name: dagster-workspace-yaml
        mountPath: /dagster-workspace/
    {{- if $part.service }}
    ports:
      - name: http
        containerPort: {{ $part.service.port }}
        protocol: TCP
    {{- end }}
    resources:
      {{- toYaml $part.resources | nindent 6 }}
    {{- with $part.readinessProbe }}
    readinessProbe:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $part.livenessProbe }}
    livenessProbe:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- if $part.startupProbe.enabled }}
    startupProbe:
      {{- toYaml (omit $part.startupProbe "enabled") | nindent 6 }}
    {{- end }}
nodeSelector:
  {{- toYaml $part.nodeSelector | nindent 2 }}
volumes:
  - name: dagster-instance
    configMap:
      name: {{ $root.Release.Name }}-instance
  - name: dagster-workspace-yaml
    configMap:
      name: {{ $root.Release.Name }}-workspace-yaml
affinity:
  {{- toYaml $part.affinity | nindent 2 }}
tolerations:
  {{- toYaml $part.tolerations | nindent 2 }}
{{- end -}}
