"""Web pages: files of HTML, pages that a browser saved, and what a reader of such a page sees as text."""
