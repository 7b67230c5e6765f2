"""The portal's read model of the catalog: built by watching, disposable."""
