"""A registered model and a Parquet file in, a folder of ratings out: ``spark_udf`` on a local Spark."""

import sys

import mlflow
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct


def main(model: str, source: str, target: str) -> None:
    """Rate a table in two partitions."""
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "100")
        .getOrCreate()
    )
    rate = mlflow.pyfunc.spark_udf(
        spark,
        model,
        result_type="struct<rating string, confidence double>",
        env_manager="local",
        model_config={"refused": "empty"},
    )
    table = spark.read.parquet(source).repartition(2)
    rated = table.withColumn("rated", rate(struct("text", "source", "market", "id")))
    rated.select("id", "rated.*").write.parquet(target)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
