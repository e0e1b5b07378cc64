# The studio in a container: docker build -t kantor . && docker run -p 7860:7860 kantor
# What is copied is named here; .dockerignore leaves out what was built or installed beside it.
FROM python:3.12-slim
RUN useradd --create-home --uid 1000 kantor
WORKDIR /home/kantor/source
COPY --chown=kantor pyproject.toml constraints.txt hatch_build.py README.md LICENSE ./
COPY --chown=kantor src src
RUN pip install --no-cache-dir --constraint constraints.txt . && rm -rf /home/kantor/source
WORKDIR /home/kantor
USER 1000
ENV OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/api/status')"]
CMD ["kantor", "studio", "--host", "0.0.0.0", "--port", "7860", "--no-browser"]
