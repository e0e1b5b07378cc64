"""The studio: compose with the model in a browser, and hear it while it thinks.

``session.py`` holds what a live session does, without a socket; ``app.py`` is the server around it. The page lies in
``static/``, built from ``web/``.
"""
