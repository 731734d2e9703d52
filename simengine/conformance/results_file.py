"""Results of a program, ours or another one, as a file: payments by contract and case."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simengine.config.document import bytes_of
from simengine.config.strict_json import RepeatedKeyError, strict_json
from simengine.conformance.balances import REFUSED, Balances, Between, balances_of
from simengine.errors import Problem, StudyError, did_you_mean, shorten
from simengine.report.checksums import verify_beside

_MOST_BYTES = 1 << 24
_MOST_AMOUNT = 10**17
_KEYS = ("date", "month", "from", "to", "amount")


def results_text(found: Mapping[str, Mapping[str, Balances | None]]) -> str:
    """Write results as such a file."""
    rows = {
        contract: {case: REFUSED if paid is None else [_row(*one) for one in paid.items()] for case, paid in cases.items()}
        for contract, cases in found.items()
    }
    return json.dumps({"results": rows}, indent=1) + "\n"


def _row(key: Between, amount: int) -> dict[str, Any]:
    month = {} if key.month is None else {"month": key.month}
    return {"date": key.date, **month, "from": key.payer, "to": key.payee, "amount": amount}


def read_results(path: Path | str, known: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, Balances | None]]:
    """Read the results of a program.

    Parameters
    ----------
    path
        A JSON file: under `results`, by contract and case, a list of payments or `"refused"`. A payment has `date`, `month` (where
        the contract has dates), `from`, `to` and `amount`, a whole number of smallest units; it may be negative, and a pair of
        parties may stand several times on one date.
    known
        By contract: the cases that there are.

    Raises
    ------
    StudyError
        With everything that cannot be.
    ResultsError
        If this program wrote it, and it was changed since.
    """
    verify_beside(Path(path))
    content = _read(Path(path))
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict):
        rule = 'must be a JSON object with `results`, as {"results": {"a_contract": {"a_case": []}}}'
        raise StudyError([Problem(str(path), "results", rule, shorten(content), "See docs/how-to/conformance-of-contracts.md")])
    problems = [Problem(str(path), key, rule, found, way_out) for key, rule, found, way_out in _problems(results, known)]
    if problems:
        raise StudyError(problems)
    return {contract: {case: _balances(paid) for case, paid in cases.items()} for contract, cases in results.items()}


def _read(path: Path) -> Any:
    try:
        text = bytes_of(path, _MOST_BYTES).decode("utf-8-sig")
        return strict_json(text)
    except json.JSONDecodeError as error:
        raise _refusal(f"{path}:{error.lineno}:{error.colno}", "must be JSON", shorten(error.msg)) from None
    except RepeatedKeyError as error:
        raise _refusal(str(path), "a key must stand once", f"`{error}` twice") from None
    except UnicodeDecodeError as error:
        raise _refusal(str(path), "must be UTF-8 text", f"byte {error.start}, which is not") from None
    except RecursionError:
        raise _refusal(str(path), "must nest a few levels deep", "thousands") from None
    except FileNotFoundError:
        raise _refusal(str(path), "no such file", "") from None
    except (OSError, ValueError) as error:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        raise _refusal(str(path), "must be a file that can be read", found) from None


def _refusal(where: str, rule: str, found: str) -> StudyError:
    return StudyError([Problem(where, "", rule, found, "")])


def _problems(results: Mapping[str, Any], known: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, str, str, str]]:
    for contract, cases in results.items():
        key = f"results.{contract}"
        if contract not in known:
            way_out = did_you_mean(contract, known, "Results are named by the file of the contract, without its ending")
            yield key, "must be a contract of the set", shorten(contract), way_out
        elif not isinstance(cases, dict):
            yield key, "must hold cases by name", shorten(cases), ""
        else:
            for case, paid in cases.items():
                if case not in known[contract]:
                    way_out = did_you_mean(case, known[contract], "`simengine conform --json` lists all cases")
                    yield f"{key}.{case}", "must be a case of the contract", shorten(case), way_out
                else:
                    yield from _paid_problems(paid, f"{key}.{case}")


def _paid_problems(paid: Any, key: str) -> Iterator[tuple[str, str, str, str]]:
    if paid == REFUSED:
        return
    if not isinstance(paid, list):
        yield key, f'must be a list of payments, or "{REFUSED}"', shorten(paid), ""
        return
    for place, row in enumerate(paid):
        path = f"{key}.{place}"
        if not isinstance(row, dict) or not set(_KEYS) - {"month"} <= set(row) <= set(_KEYS):
            yield path, f"a payment must have {', '.join(_KEYS)}, and nothing else", shorten(row), "`month` only of a date"
            continue
        for name in ("date", "from", "to"):
            if not isinstance(row[name], str):
                yield f"{path}.{name}", "must be text", shorten(row[name]), ""
        for name, least, most in (("month", 0, 2400), ("amount", -_MOST_AMOUNT, _MOST_AMOUNT)):
            value = row.get(name, 0)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                way_out = "Amounts are in the smallest unit of the currency" if name == "amount" else ""
                yield f"{path}.{name}", f"must be a whole number from {least:,} to {most:,}", shorten(value), way_out


def _balances(paid: Any) -> Balances | None:
    if paid == REFUSED:
        return None
    return balances_of((Between(row["date"], row.get("month"), row["from"], row["to"]), row["amount"]) for row in paid)
