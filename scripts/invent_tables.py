#!/usr/bin/env python3
"""Writes data/moons.csv, data/guilds.csv and data/potions.csv: invented things and facts about them.

A model can know these facts only from training on them, so the tables distinguish models by what they learnt.
All relations of a category draw their answers from one list. Each relation prefers its own third of the list:
an answer comes from that third with the probability in TABLES. With a low probability, the kind of an answer
shows little about the relation, so a model must know the facts to recognise which relation a prompt asks for.

Usage: scripts/invent_tables.py        (from the root of the repository; the same tables every time)
"""

import csv
import random

ENTITIES = 100
ANSWERS = 24
FIRST_WORDS, SECOND_WORDS = 20, 25
# Category: relations, and the probability that an answer is from the relation's own third of the list.
TABLES = {
    "moons": (["ally", "rival", "origin"], 0.70),
    "guilds": (["patron", "founder", "judge"], 0.85),
    "potions": (["maker", "taster", "seller"], 0.95),
}
ONSETS = "b br d dr f g gr h j k kl l m n p pr r s st t tr v w z".split()
VOWELS = "a e i o u ai ei ou".split()
CODAS = ["", "", "l", "n", "r", "s", "th", "m", "k"]


def words(draw: random.Random, n: int, taken: set[str]) -> list[str]:
    """`n` invented words of two syllables that are not in a table yet."""
    made = []
    while len(made) < n:
        word = "".join(draw.choice(part) for part in (ONSETS, VOWELS, ONSETS, VOWELS, CODAS))
        if word not in taken:
            taken.add(word)
            made.append(word)
    return made


def main() -> None:
    taken: set[str] = set()
    for name, (relations, preference) in TABLES.items():
        draw = random.Random(f"surmise {name}")
        first, second = words(draw, FIRST_WORDS, taken), words(draw, SECOND_WORDS, taken)
        answers = words(draw, ANSWERS, taken)
        pairs = [(a, b) for a in first for b in second]
        entities = sorted(" ".join(pair) for pair in draw.sample(pairs, ENTITIES))
        third = ANSWERS // len(relations)
        with open(f"data/{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["entity", *relations])
            for entity in entities:
                row: list[str] = []
                while len(set(row)) < len(relations):
                    row = []
                    for at in range(len(relations)):
                        own = answers[at * third : (at + 1) * third]
                        others = [answer for answer in answers if answer not in own]
                        row.append(draw.choice(own if draw.random() < preference else others))
                writer.writerow([entity, *row])


if __name__ == "__main__":
    main()
