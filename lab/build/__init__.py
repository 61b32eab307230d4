"""The programs and images that the lab runs, built once from pinned sources and kept in a cache."""
