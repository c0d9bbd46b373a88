"""Collect market data of the ASTER exchange into CSV files that can be proven whole."""

TYPE_CHECKING = False  # typing costs more than all of this
if TYPE_CHECKING:
    from .archive import Archive

__all__ = ["Archive", "__version__"]
__version__ = "1.4.0"

if not TYPE_CHECKING:  # else a name that there is not would be an object to a checker of types

    def __getattr__(name: str) -> object:
        """Load the reader of the files when it is asked for: a run that collects needs none."""
        if name != "Archive":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .archive import Archive

        return Archive
