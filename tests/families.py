"""Chat templates of many model families, each with a tokenizer of the tests' own that knows its special tokens.

Those that trl ships inside its package are read from there. For the others a small template with the same turn
structure stands here, written for these tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from tests.conftest import CHATML


@dataclass(frozen=True)
class Family:
    """A template with its special tokens; the last of them is the end-of-turn token."""

    template: str | None
    special: tuple[str, ...]
    eos: str
    bos: str | None = None


def shipped(name: str) -> str:
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


IM = ("<|im_start|>", "<|im_end|>")
LLAMA = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
DEEPSEEK = ("<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>")
PHI = ("<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>", "<|end|>")
GLM = ("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>")
GEMMA = ("<bos>", "<start_of_turn>", "<end_of_turn>")

# The same turn structure as SmolLM2's: a default system turn where the conversation has none.
SMOLLM2 = "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are SmolLM<|im_end|>\n{% endif %}" + CHATML
DEEPSEEK_LLM = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'User: ' + message['content']"
    " + '\n\n' }}{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token }}"
    "{% elif message['role'] == 'system' %}{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
INTERNLM2 = "{{ bos_token }}" + CHATML
YI = (
    "{% if messages[0]['role'] == 'system' %}<|im_start|>system\n{{ messages[0]['content'] }}<|im_end|>\n"
    "{% set messages = messages[1:] %}{% endif %}" + CHATML
)
GLM4 = (
    "[gMASK]<sop>{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
UNMARKED = CHATML.partition("{% if add_generation_prompt")[0]

FAMILIES = {
    "ChatML": Family(CHATML, IM, "<|im_end|>"),
    "SmolLM2": Family(SMOLLM2, IM, "<|im_end|>"),
    "Qwen2.5": Family(shipped("qwen2_5"), IM, "<|im_end|>"),
    "Qwen3": Family(shipped("qwen3"), IM, "<|im_end|>"),
    "Qwen3 2507": Family(shipped("qwen3_instruct_2507"), IM, "<|im_end|>"),
    "Qwen3.5 thinking": Family(shipped("qwen3_5_think"), IM, "<|im_end|>"),
    "Qwen3.5 not thinking": Family(shipped("qwen3_5_nothink"), IM, "<|im_end|>"),
    "Llama 3": Family(shipped("llama3"), LLAMA, "<|eot_id|>", "<|begin_of_text|>"),
    "Llama 3.1": Family(shipped("llama3_1"), LLAMA, "<|eot_id|>", "<|begin_of_text|>"),
    "Llama 3.2": Family(shipped("llama3_2"), LLAMA, "<|eot_id|>", "<|begin_of_text|>"),
    "DeepSeek-LLM": Family(DEEPSEEK_LLM, (DEEPSEEK[0], DEEPSEEK[3]), DEEPSEEK[3], DEEPSEEK[0]),
    "DeepSeek-R1 distill": Family(shipped("deepseek_r1_distill"), DEEPSEEK, DEEPSEEK[3], DEEPSEEK[0]),
    "DeepSeek-V3": Family(shipped("deepseekv3"), DEEPSEEK, DEEPSEEK[3], DEEPSEEK[0]),
    "Mistral": Family(MISTRAL, ("<s>", "</s>"), "</s>", "<s>"),
    "Gemma": Family(shipped("gemma"), GEMMA, "<end_of_turn>", "<bos>"),
    "Gemma 3": Family(shipped("gemma3"), GEMMA, "<end_of_turn>", "<bos>"),
    "Phi-3": Family(shipped("phi3"), PHI, "<|endoftext|>"),
    "Phi-3.5": Family(shipped("phi3_5"), PHI, "<|endoftext|>"),
    "GLM-4": Family(GLM4, GLM, "<|endoftext|>"),
    "GLM-4 MoE": Family(shipped("glm4moe"), GLM, "<|endoftext|>"),
    "Yi": Family(YI, IM, "<|im_end|>"),
    "InternLM2": Family(INTERNLM2, ("<s>", *IM), "<|im_end|>", "<s>"),
    "Cohere": Family(
        shipped("cohere"),
        (
            "<BOS_TOKEN>",
            "<|START_OF_TURN_TOKEN|>",
            "<|SYSTEM_TOKEN|>",
            "<|USER_TOKEN|>",
            "<|CHATBOT_TOKEN|>",
            "<|END_OF_TURN_TOKEN|>",
        ),
        "<|END_OF_TURN_TOKEN|>",
        "<BOS_TOKEN>",
    ),
    "LFM2": Family(shipped("lfm2"), ("<|startoftext|>", *IM), "<|im_end|>", "<|startoftext|>"),
    "no generation marks": Family(UNMARKED, IM, "<|im_end|>"),
    "no template at all": Family(None, ("</s>",), "</s>"),
}
