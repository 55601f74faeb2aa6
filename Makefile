# A thin door to dev.py, which also works without make: python3 dev.py demo
# Python 3.11 has everything (DeepChem included), so it is preferred where it is installed.
PYTHON ?= $(shell python3.11 -c "print('python3.11')" 2>/dev/null || echo python3)

.PHONY: demo test lint bench setup clean
demo test lint bench setup clean:
	@$(PYTHON) dev.py $@ $(ARGS)
