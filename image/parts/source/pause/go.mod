module groundplane.internal/image/pause

go 1.24
