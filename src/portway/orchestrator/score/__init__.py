"""Score workload files (score.dev/v1b1): parsing into values, with every problem at its path."""

from portway.orchestrator.score.models import Workload
from portway.orchestrator.score.parsing import Parsed, parse
from portway.orchestrator.score.reading import Problem

__all__ = ["Parsed", "Problem", "Workload", "parse"]
