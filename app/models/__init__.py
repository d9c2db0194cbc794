"""Where the detectors' model files come from: folders, the release address, packages of the registry."""
