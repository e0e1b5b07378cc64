"""The page that Streamlit serves: ``pip install ".[streamlit]"``, then ``streamlit run streamlit_app.py``."""

from kantor.studio import streamlit_page

streamlit_page.show()
