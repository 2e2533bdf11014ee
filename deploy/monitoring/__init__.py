"""What watches Stemcord: alerts for Prometheus, a dashboard for Grafana, pictures of traces."""
