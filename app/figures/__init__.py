"""Figures of the log by period: cells in SQL, figures by formula."""
