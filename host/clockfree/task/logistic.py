"""Logistic regression: what a classification is compared with."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax


def logistic_accuracy(
    train_V: np.ndarray, train_labels: np.ndarray, test_V: np.ndarray, test_labels: np.ndarray
) -> float:
    """Accuracy of multinomial logistic regression: features standardised, half the squared weights as penalty."""
    mean, spread = train_V.mean(axis=0), train_V.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    train_x, test_x = (np.column_stack([(volts - mean) / spread, np.ones(len(volts))]) for volts in (train_V, test_V))
    truth = np.eye(train_labels.max() + 1)[train_labels]
    shape = train_x.shape[1], truth.shape[1]
    penalty = np.ones(shape)
    penalty[-1] = 0.0  # the intercept goes free

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        scores = train_x @ weights
        value = -(truth * log_softmax(scores, axis=1)).sum() + 0.5 * (penalty * weights**2).sum()
        gradient = train_x.T @ (softmax(scores, axis=1) - truth) + penalty * weights
        return float(value), gradient.ravel()

    best = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B")
    answers = (test_x @ best.x.reshape(shape)).argmax(axis=1)
    return float((answers == test_labels).mean())
