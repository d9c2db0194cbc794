GenericEventCode: int
