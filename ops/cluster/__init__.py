"""One cluster as the tools see it: API client, connections, polling, client pod, sidecar and Envoy."""
