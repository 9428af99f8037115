"""Streamlit below the pages: shell, guard, workbench, charts and grids."""
