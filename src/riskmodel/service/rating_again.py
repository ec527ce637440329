"""An escalation with the answers to its questions in, its further assessment by the model that serves out."""

from riskmodel.casebook import AuditEvent
from riskmodel.service.running import Running


def rate_again(running: Running, escalation: int, event: AuditEvent) -> int:
    """Assess what was learnt of an escalation, keep that beside what was assessed before, and return its number.

    Args:
        running: what requests are answered with.
        escalation: its number.
        event: who wants it, and when.

    Raises:
        UnknownQuestionError: if nothing was answered.
        NotReadyError: until a model is loaded.
    """
    model, again = running.models.current().model, running.parts.again
    learnt = again.learnt(escalation)
    (assessment,) = model.assess([learnt.escalation], event.at, crowded=True)
    return again.keep(learnt, assessment, event)
