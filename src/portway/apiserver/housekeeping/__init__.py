"""The API's own controllers: garbage collection, contents and end of namespaces, workspaces and CRDs, event expiry.

One engine each over all workspaces, fed by one watch of everything in the cache, so that ten thousand workspaces
cost what their objects cost. They write past admission and authorization, as the server itself."""
