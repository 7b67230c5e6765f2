"""The reconcile loop: informers, work queue, back-off, finalizers, conditions, events, leases."""
