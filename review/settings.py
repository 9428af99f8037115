"""Settings from the environment (HOLDPOINT_*); read only at the edges: program start, command line, tests."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where data lives and how long things last; every value has a safe default."""

    model_config = SettingsConfigDict(env_prefix="HOLDPOINT_", extra="ignore")

    database_url: str = "sqlite:///data/holdpoint.db"
    data_dir: Path = Path("data")
    sign_in_days: float = Field(default=1.0, gt=0, le=30)
    worker_in_process: bool = True
    tick_seconds: float = Field(default=2.0, gt=0)


@lru_cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
