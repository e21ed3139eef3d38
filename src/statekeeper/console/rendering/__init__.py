"""What pages are made with: values as markup, charts, languages, styles and scripts; nothing here knows who looks."""
