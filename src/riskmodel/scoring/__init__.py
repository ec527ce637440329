"""A file of escalations in, a file of assessments out: CSV, JSON lines or Parquet, any size in constant memory."""

from riskmodel.scoring.files import check_files
from riskmodel.scoring.run import Scored, score

__all__ = ["Scored", "check_files", "score"]
