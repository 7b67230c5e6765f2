"""${{ values.name }}: an HTTP API over ${{ values.records }}."""
