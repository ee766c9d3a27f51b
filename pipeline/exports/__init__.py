"""A trained character in the forms that other programs take, each proven to be what was trained."""

FORMS = {
    "merged": "a complete model in safetensors",
    "adapter": "a peft adapter that names no folder of this machine",
    "gguf": "files for llama.cpp and what is built on it",
    "gguf-adapter": "the adapter alone, for llama.cpp on a GGUF of its base model",
    "ollama": "a Modelfile with its GGUF",
    "card": "a character card for SillyTavern and its kin, as JSON and PNG",
}
