"""stub"""
from dataclasses import dataclass
from pipeline.conversations.render import user, assistant
@dataclass(frozen=True, slots=True)
class ControlItem:
    question: str
    answer: str
    aliases: tuple
    wrong: tuple
def control_items(language):
    return [ControlItem("What is the capital of France?","Paris.",("Paris",),("Rome.","Berlin.","Madrid.")),ControlItem("What colour is grass?","Green.",("Green",),("Red.","Blue.","Black."))]
def general_texts(language):
    return ["The bus stops by the market every ten minutes, and most people walk.","Bread needs flour, water, salt and time."]
def filler_turns(language):
    return [user("Nice weather today."),assistant("It is."),user("How was your morning?"),assistant("Quiet enough.")]
