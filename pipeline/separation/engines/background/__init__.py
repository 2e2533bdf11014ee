"""The network of our own that parts a background into music, SFX and ambience."""

from pipeline.separation.engines.spec import EngineSpec

ENGINES: tuple[EngineSpec, ...] = ()
