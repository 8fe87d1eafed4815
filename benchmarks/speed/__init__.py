"""Speed: seconds and memory, of training, lists, the server, data beyond memory."""
