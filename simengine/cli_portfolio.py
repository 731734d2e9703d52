"""The command that holds several studies together."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli_options import (
    PLACE,
    asked_again,
    block_size_option,
    json_option,
    no_folder,
    output_option,
    progress,
    say,
    seed_option,
    threads_option,
)

_REPLICATIONS = 2_000


@click.command()
@click.argument("portfolio_file", metavar="FUND", type=PLACE)
@click.option(
    "-n", "--replications", type=click.IntRange(2, 2**32), default=_REPLICATIONS, show_default=True, help="Monte Carlo worlds."
)
@seed_option
@output_option("the numbers, the picture, the portfolio with its studies and provenance")
@json_option
@threads_option
@block_size_option
def portfolio(
    portfolio_file: Path,
    replications: int,
    seed: int | None,
    output: Path | None,
    as_json: bool,
    threads: int | None,
    block_size: int,
) -> None:
    """Hold the studies of FUND together: a revolving fund, an outcomes fund or an investor's book under common bad times."""
    from simengine.config import load_portfolio
    from simengine.provenance import Clock, describe_run
    from simengine.questions.portfolio import tables as holdings
    from simengine.questions.portfolio.answer import hold
    from simengine.report import document, folder, tables
    from simengine.streams import draw_seed
    from simengine.worlds.ensemble import Ensemble
    from simengine.worlds.memory import refuse_if_too_large

    holding = load_portfolio(portfolio_file)
    for study in holding.studies.values():
        refuse_if_too_large(study, replications * len(holding.studies), block_size=block_size)
    seed = draw_seed() if seed is None else seed
    clock, files = Clock(), document.portfolio_texts(holding)
    settings = {"portfolio": str(portfolio_file), "seed": seed, "replications": replications}
    settings |= {"threads": threads, "block_size": block_size}
    with folder.results_folder(output) if output else no_folder() as draft:
        with progress(replications * len(holding.studies)) as advance:
            found = hold(holding, Ensemble(seed, replications, threads, block_size, advance))
        content = holdings.portfolio_content(holding, found)
        content["provenance"] = describe_run(clock, "".join(files.values()), settings)
        if draft is not None:
            drawn: dict[str, bytes | str] = {"portfolio.png": holdings.draw_portfolio(holding, found)}
            again = asked_again("portfolio", "portfolio.yaml", "-n", replications, "--seed", seed)
            written = files | {"run-again.txt": again, "portfolio.json": document.as_json(content) + "\n"}
            folder.write_files(draft, {**drawn, **written})
    if as_json:
        say(document.as_json(content))
        return
    tables.show(holdings.portfolio_tables(holding, found))
    if output:
        say(f"Results: {output}")
