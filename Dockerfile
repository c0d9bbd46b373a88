FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /app
# requirements-parquet.txt, where the image is to export too
ARG REQUIREMENTS=requirements.txt
COPY requirements.txt requirements-parquet.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt -r "$REQUIREMENTS" \
    && install -d -m 750 -o 1000 -g 1000 ASTER_data
COPY aster_collect ./aster_collect

USER 1000:1000
VOLUME ["/app/ASTER_data"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "aster_collect", "health"]
ENTRYPOINT ["python", "-m", "aster_collect"]
