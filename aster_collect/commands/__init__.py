"""What can be typed behind `aster-collect`: one file a command."""
