"""A step's lesson: ``en.md`` and ``zh.md`` beside its ``step.py``, read into values, and what is wrong with them."""

from netlab.lessons.judging import faults, out_of_step
from netlab.lessons.lesson import Flag, Lesson, Quiz, Section, path_of, read
from netlab.lessons.markdown import prose

__all__ = ["Flag", "Lesson", "Quiz", "Section", "faults", "out_of_step", "path_of", "prose", "read"]
