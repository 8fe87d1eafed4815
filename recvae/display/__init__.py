"""Display: progress bars, pages of HTML, and how plots look."""
