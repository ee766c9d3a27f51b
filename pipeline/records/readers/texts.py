"""The readers of what a text may say, for a text that stands in something else: a Word document, a post."""

from __future__ import annotations

from pipeline.records.readers.chats import timed_log, whatsapp
from pipeline.records.readers.pages import asked, labelled_page, page, profile_script
from pipeline.records.readers.scripts import prose, screenplay, transcript, wiki_script

# In the order of `READERS`.
TEXTS = (whatsapp, timed_log, profile_script, asked, wiki_script, labelled_page, screenplay, prose, transcript, page)
