"""From sound to spike trains: Lyon's passive ear, then Ben's spiker algorithm (docs/data.md)."""
