"""A trained character in the forms that other programs take, each proven to be what was trained."""

FORMS = {
    "merged": "a complete model in safetensors",
    "adapter": "a peft adapter that names no folder of this machine",
    "gguf": "files for llama.cpp and what is built on it",
    "gguf-adapter": "the adapter alone, for llama.cpp on a GGUF of its base model",
    "ollama": "a Modelfile with its GGUF",
    "card": "a character card for SillyTavern and its kin, as JSON and PNG",
}
# Types of a GGUF's weights; those that llama.cpp's compiled quantiser makes have a K.
OUTTYPES = ("f16", "q8_0", "q4_k_m", "q5_k_m", "q6_k", "bf16", "f32")
DEFAULT_OUTTYPES = {"gguf": ("f16", "q8_0"), "ollama": ("q8_0",), "gguf-adapter": ("f16",)}
