"""What a run's folder holds, by name: every other module takes the names from here.

`persona.json` belongs to `conversations.persona`, the weights, tokenizer and trainer state to trl, peft and accelerate.
"""

from __future__ import annotations

# Of a finished run; run.json is written last, so that its presence means that all is there.
RUN_FILE = "run.json"
IDENTITY_FILE = "identity.json"  # what decides the run's course, from its first minute on
LOG_FILE = "logs.jsonl"
LEDGER_FILE = "ledger.jsonl"
ADAPTER_FILE = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"  # as peft names them
# Of its evaluation, written by `recall`.
RECALL_FILE = "recall.json"
REPORT_FILE = "report.html"
BLEED_FILE = "bleed.json"
BLEED_PAGE = "bleed.html"
# Of a run that goes on.
LOCK_FILE = "training.lock"
CHECKPOINT_PREFIX = "checkpoint-"
AVERAGE_FILE = "swa.safetensors"  # within a checkpoint: the mean of the weights so far
EXPOSURES_FILE = "exposures.json"  # within a checkpoint: how often each record has been seen
COMPLETE_FILE = "whole.json"  # within a checkpoint, written last: the size of every file
