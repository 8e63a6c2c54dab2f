-- What Argo CD shows of a Connector or a ServiceAccountPolicy of Backstay (resource.customizations.health).
-- A person's turn is Suspended: neither healthy nor broken, and a sync wave waits for it.
local health = { status = "Progressing", message = "The operator has not looked at it yet" }
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "It is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end

local ready, stalled, reconciling
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then ready = condition end
  if condition.type == "Stalled" and condition.status == "True" then stalled = condition end
  if condition.type == "Reconciling" and condition.status == "True" then reconciling = condition end
end
if ready == nil then
  return health
end

-- Somebody has to do something, or has said that nothing is to be done.
local waiting = { AwaitingPerson = true, PolicyAwaitsPerson = true, AwaitingEvidence = true, DeletionHeld = true, Suspended = true }
-- It comes by itself: a first backup, an answer.
local coming = { NoBackup = true, Pending = true, Acting = true, Propagating = true }

health.message = ready.reason .. ": " .. ready.message
if stalled ~= nil then
  health.status = "Degraded"
  health.message = stalled.reason .. ": " .. stalled.message
elseif ready.status == "True" then
  health.status = "Healthy"
elseif waiting[ready.reason] then
  health.status = "Suspended"
elseif reconciling ~= nil or coming[ready.reason] or ready.status == "Unknown" then
  health.status = "Progressing"
else
  health.status = "Degraded"
end
return health
