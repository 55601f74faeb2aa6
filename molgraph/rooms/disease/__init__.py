"""The room of patients: records of a table, to predict what becomes of them."""
