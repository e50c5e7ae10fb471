"""Reads tables of surmise as pandas data frames. docs/data-dictionary.md describes the columns."""

from pathlib import Path

import pandas as pd

__all__ = ["load", "load_all", "predictions"]


def _read(path):
    # Only an empty cell is missing, because a model may have the name "NA".
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _file(folder, *names):
    """Returns the path of the first of these files that exists in a folder."""
    for name in names:
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    raise FileNotFoundError(f"{folder} contains no {' or '.join(names)}")


def load(folder):
    """Returns the headline rows of profiles.csv, from a folder of profiles or a study folder.

    The column `flags` lists warnings about each row. For positional profiles, these are the flags in the
    file. For semantic profiles, `not_above_chance` means that the share exceeds chance by less than 1.96
    standard errors; `not_above_random_init` means the same for the share of the randomly initialised model.
    """
    table = _read(_file(folder, "profiles.csv", "profiles/profiles.csv"))
    rows = table[table["is_headline"]].reset_index(drop=True)
    if "macro_share" in rows:
        share, stderr = rows["macro_share"], rows["macro_share_stderr"]
        above = share - rows["macro_share_random_init"]
        error = (stderr**2 + rows["macro_share_random_init_stderr"] ** 2) ** 0.5
        doubts = {"not_above_chance": share < 1.96 * stderr, "not_above_random_init": above < 1.96 * error}
        rows["flags"] = [[word for word, holds in doubts.items() if holds[at]] for at in rows.index]
    else:
        words = rows[["macro_flags", "micro_flags", "flags"]].astype(object).fillna("")
        rows["flags"] = [sorted(set(" ".join(cells).split())) for cells in words.itertuples(index=False)]
    return rows


def load_all(folder):
    """Returns every CSV file below a folder, as a dictionary from relative path to data frame."""
    files = sorted(path for path in Path(folder).rglob("*.csv") if not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): _read(path) for path in files}


def predictions(folder):
    """Returns the rows of predictions.csv, including refused predictions.

    For rows with a prediction and a measurement, `error` is the prediction minus the measurement. `inside`
    is true if the measurement lies in the interval; it is missing without an interval.
    """
    rows = _read(_file(folder, "predictions.csv"))
    is_judged = rows["y_hat"].notna() & rows["measured"].notna()
    rows["error"] = (rows["y_hat"] - rows["measured"]).where(is_judged)
    inside = (rows["low"] <= rows["measured"]) & (rows["measured"] <= rows["high"])
    rows["inside"] = inside.astype("boolean").where(is_judged & rows["low"].notna())
    return rows
