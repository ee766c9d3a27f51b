"""The studio: chat, reports, curves and exports as pages in a browser, served on this machine."""
