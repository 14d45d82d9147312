"""The evaluator that OpenEvolve loads: ``evaluate(program_path)`` and the stages of its cascade.

ShinkaEvolve runs it instead: ``python evaluator.py --program_path … --results_dir …``.
"""

import argparse

from evaluation.evolve import evaluate, evaluate_stage1, evaluate_stage2, write_results

__all__ = ["evaluate", "evaluate_stage1", "evaluate_stage2"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path", required=True)
    parser.add_argument("--results_dir", required=True)
    asked = parser.parse_args()
    print(write_results(asked.program_path, asked.results_dir))
