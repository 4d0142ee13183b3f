"""Values that other programs published, and how to set them beside ours."""
