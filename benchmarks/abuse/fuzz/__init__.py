"""Files that were damaged or forged, loaded in processes that are watched."""
